/** Names beside points, none over another one or a point: where a map is crowded, some stay away. */

export interface Mark {
  cx: number;
  cy: number;
  text: string;
}

/** Where a name begins ("start"), ends ("end") or has its middle, and its baseline; in the map's own units. */
export interface Label {
  x: number;
  y: number;
  anchor: "start" | "middle" | "end";
}

/** Of a letter of 13 pixels in a font of even width. */
const LETTER = 7.9;
const LINE = 15;
const GAP = 8;
/** Half of what a point takes. */
const POINT = 4;

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/**
 * A place for the name of each mark, in their order: to its right if there is room, else to its left, above or below.
 * Null where each of these lies over a point or another name, or beyond the map's edge.
 */
export function labelled(marks: Mark[], wide: number, high: number): (Label | null)[] {
  const taken: Box[] = marks.map(({ cx, cy }) => ({
    left: cx - POINT,
    right: cx + POINT,
    top: cy - POINT,
    bottom: cy + POINT,
  }));
  return marks.map((mark) => {
    const long = mark.text.length * LETTER;
    for (const label of around(mark)) {
      const left = label.x - { start: 0, middle: long / 2, end: long }[label.anchor];
      const box = { left, right: left + long, top: label.y - LINE + 3, bottom: label.y + 3 };
      const inside = box.left >= 0 && box.right <= wide && box.top >= 0 && box.bottom <= high;
      if (!inside || taken.some((other) => meet(box, other))) continue;
      taken.push(box);
      return label;
    }
    return null;
  });
}

function around({ cx, cy }: Mark): Label[] {
  return [
    { x: cx + GAP, y: cy + 4, anchor: "start" },
    { x: cx - GAP, y: cy + 4, anchor: "end" },
    { x: cx, y: cy - GAP - 4, anchor: "middle" },
    { x: cx, y: cy + GAP + 12, anchor: "middle" },
  ];
}

function meet(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
