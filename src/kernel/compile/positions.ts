/** Jupyter counts a cursor's place in code points, JavaScript in UTF-16 units. */

/** UTF-16 units of the first `count` code points. */
export function unitsBefore(text: string, count: number): number {
  let units = 0;
  for (let i = 0; i < count && units < text.length; i++) units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  return units;
}

/** Code points in the first `units` UTF-16 units. */
export function codePointsBefore(text: string, units: number): number {
  return Array.from(text.slice(0, units)).length;
}
