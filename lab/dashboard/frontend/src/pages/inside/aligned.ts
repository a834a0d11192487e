/** Maps of several moments, turned so that each lies on the last one as well as it can. */

export interface Point {
  x: number;
  y: number;
}

/**
 * The points turned, and mirrored where that fits better, so that the sum of squared distances to `target` is least:
 * orthogonal Procrustes in the plane (Schönemann 1966). Principal components have no direction of their own, and two
 * that are nearly as long change places from one checkpoint to the next: without this, a map would jump.
 */
export function aligned(points: Point[], target: Point[]): Point[] {
  let [dot, cross, mirroredDot, mirroredCross] = [0, 0, 0, 0];
  points.forEach(({ x, y }, at) => {
    const to = target[at] ?? { x: 0, y: 0 };
    dot += x * to.x + y * to.y;
    cross += x * to.y - y * to.x;
    mirroredDot += x * to.x - y * to.y;
    mirroredCross += x * to.y + y * to.x;
  });
  const mirror = Math.hypot(mirroredDot, mirroredCross) > Math.hypot(dot, cross);
  const angle = mirror ? Math.atan2(mirroredCross, mirroredDot) : Math.atan2(cross, dot);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return points.map(({ x, y: up }) => {
    const y = mirror ? -up : up;
    return { x: cos * x - sin * y, y: sin * x + cos * y };
  });
}
