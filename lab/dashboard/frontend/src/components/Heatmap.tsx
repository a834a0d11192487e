import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { Figure } from "@/components/Figure";
import { diverging, viridis } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import classes from "./Heatmap.module.css";
import { brief } from "@/series/points";

interface Cell {
  row: number;
  column: number;
}

interface Props {
  title: string;
  hint?: ReactNode;
  /** (rows, columns); null: no number there (a token that may not be looked at). */
  values: (number | null)[][];
  rowLabels: string[];
  columnLabels: string[];
  /** What rows and columns are, for the sentence under the pointer: "token", "layer". */
  rowName: string;
  columnName: string;
  /** Ends of the colour scale. Give it where pictures are compared; else it is the least and the greatest value. */
  domain?: [number, number];
  /** Colours by this power of a value's share of the scale: 0.5 tells small ones apart. Of viridis only. */
  power?: number;
  /** diverging: blue below zero, orange above; the domain should lie even about zero. */
  scale?: "viridis" | "diverging";
  /** The picture in one or two sentences. */
  summary: string;
  selected?: Cell | null;
  onSelect?: (cell: Cell) => void;
  /** Side of a cell in pixels; by default what fits, down to `leastCell`. */
  cellSize?: number;
  leastCell?: number;
  controls?: ReactNode;
  format?: (value: number) => string;
}

const LABEL_ROOM = 84;
const LEAST_FONT = 9;
const LARGEST_FONT = 12;
const LETTER = 7.3; // pixels of a letter in the largest
const WIDEST = 760;
const LARGEST_CELL = 28;
const SMALLEST_CELL = 3;
/** Of smaller cells, too few would have a label. */
const LABELLED_CELL = 5;

/** A matrix as colours, drawn on a canvas. By keyboard: arrows move from cell to cell, Enter selects. */
export function Heatmap(props: Props) {
  const {
    values,
    rowLabels,
    columnLabels,
    domain,
    scale = "viridis",
    power = 1,
    selected = null,
    onSelect,
    format = brief,
  } = props;
  const dark = useDark();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [pointed, setPointed] = useState<Cell | null>(null);
  const rows = values.length;
  const columns = values[0]?.length ?? 0;
  const { ref: wrap, width } = useElementSize<HTMLDivElement>();
  const beside = roomFor(rowLabels);
  const fitting = Math.floor((Math.min(WIDEST, width || WIDEST) - beside) / Math.max(1, columns));
  const size = props.cellSize ?? Math.max(props.leastCell ?? SMALLEST_CELL, Math.min(LARGEST_CELL, fitting));
  const labelled = size >= LABELLED_CELL;
  const left = labelled ? beside : 0;
  const top = labelled ? roomFor(columnLabels) : 0;
  const [low, high] = useMemo(() => domain ?? extent(values), [domain, values]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.current.width = (left + columns * size) * ratio;
    canvas.current.height = (top + rows * size) * ratio;
    context.scale(ratio, ratio);
    const ink = dark ? "#dfe5ea" : "#1f2327";
    values.forEach((line, row) =>
      line.forEach((value, column) => {
        context.fillStyle = value === null ? (dark ? "#20262c" : "#eef1f4") : colour(value, low, high, scale, power);
        context.fillRect(left + column * size, top + row * size, size, size);
      }),
    );
    if (labelled) {
      context.fillStyle = ink;
      const font = Math.max(LEAST_FONT, Math.min(LARGEST_FONT, size));
      context.font = `${font}px ui-monospace, 'DejaVu Sans Mono', monospace`;
      context.textBaseline = "middle";
      const every = Math.ceil(font / size);
      rowLabels.forEach((label, row) => {
        if (row % every > 0) return;
        context.textAlign = "right";
        context.fillText(short(label), left - 6, top + row * size + size / 2, left - 8);
      });
      columnLabels.forEach((label, column) => {
        if (column % every > 0) return;
        context.save();
        context.translate(left + column * size + size / 2, top - 6);
        context.rotate(-Math.PI / 2);
        context.textAlign = "left";
        context.fillText(short(label), 0, 0, top - 8);
        context.restore();
      });
    }
    for (const cell of [selected, pointed]) {
      if (!cell) continue;
      context.strokeStyle = cell === pointed ? ink : "#e69f00";
      context.lineWidth = 2;
      context.strokeRect(left + cell.column * size, top + cell.row * size, size, size);
    }
  }, [
    values,
    rowLabels,
    columnLabels,
    low,
    high,
    scale,
    power,
    dark,
    size,
    left,
    top,
    rows,
    columns,
    labelled,
    selected,
    pointed,
  ]);

  const cellAt = (event: MouseEvent<HTMLCanvasElement>): Cell | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / size);
    const row = Math.floor((event.clientY - box.top - top) / size);
    return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const at = pointed ?? selected ?? { row: 0, column: 0 };
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (move && rows > 0) {
      event.preventDefault();
      if (!pointed && !selected) return setPointed(at);
      setPointed({
        row: Math.min(rows - 1, Math.max(0, at.row + (move[0] ?? 0))),
        column: Math.min(columns - 1, Math.max(0, at.column + (move[1] ?? 0))),
      });
    } else if ((event.key === "Enter" || event.key === " ") && pointed && onSelect) {
      event.preventDefault();
      onSelect(pointed);
    }
  };

  const reading = pointed ?? selected;
  return (
    <Figure
      title={props.title}
      hint={props.hint}
      summary={props.summary}
      controls={props.controls}
      numbers={() => ({
        columns: [
          `${props.rowName} \\ ${props.columnName}`,
          ...columnLabels.map((label, at) => `${at}: ${short(label)}`),
        ],
        rows: values.map((line, row) => [`${row}: ${short(rowLabels[row] ?? "")}`, ...line]),
      })}
    >
      {(described) => (
        <>
          <div ref={wrap} className={classes.wrap}>
            <canvas
              ref={canvas}
              className={classes.canvas}
              style={{
                width: left + columns * size,
                height: top + rows * size,
                cursor: onSelect ? "pointer" : "crosshair",
              }}
              role="img"
              tabIndex={0}
              aria-label={`${props.title}, a map of ${rows} by ${columns}. Arrow keys read single cells.`}
              aria-describedby={described}
              onMouseMove={(event) => setPointed(cellAt(event))}
              onMouseLeave={() => setPointed(null)}
              onBlur={() => setPointed(null)}
              onClick={(event) => {
                const cell = cellAt(event);
                if (cell) onSelect?.(cell);
              }}
              onKeyDown={onKeyDown}
            />
          </div>
          <div className={classes.scale} aria-hidden>
            {format(low)}
            <span className={classes.bar} style={{ background: gradient(scale, power) }} />
            {format(high)}
          </div>
          <div className={classes.reading} aria-live="polite">
            {reading && tell(reading, props, format)}
          </div>
        </>
      )}
    </Figure>
  );
}

/** Pixels that the longest of these labels takes. */
function roomFor(labels: string[]): number {
  return Math.min(LABEL_ROOM, Math.ceil(10 + LETTER * Math.max(0, ...labels.map((label) => short(label).length))));
}

function tell({ row, column }: Cell, props: Props, format: (value: number) => string): string {
  const value = props.values[row]?.[column];
  const number = value === null || value === undefined ? "nothing" : format(value);
  return `${props.rowName} ${row} “${short(props.rowLabels[row] ?? "")}”, ${props.columnName} ${column} “${short(props.columnLabels[column] ?? "")}”: ${number}`;
}

function colour(value: number, low: number, high: number, scale: "viridis" | "diverging", power: number): string {
  if (scale === "diverging") return diverging(value / (Math.max(Math.abs(low), Math.abs(high)) || 1));
  return viridis(high > low ? Math.max(0, (value - low) / (high - low)) ** power : 0);
}

function gradient(scale: "viridis" | "diverging", power: number): string {
  const stops = Array.from({ length: 11 }, (_, at) =>
    scale === "viridis" ? viridis((at / 10) ** power) : diverging(at / 5 - 1),
  );
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

function extent(values: (number | null)[][]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const line of values) {
    for (const value of line) {
      if (value === null || !Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A token as one short, visible word. */
function short(label: string): string {
  const visible = label.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ /, "·");
  return visible.length > 12 ? `${visible.slice(0, 11)}…` : visible;
}
