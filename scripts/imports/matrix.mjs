/** The picture of imports: a matrix of rooms. A row imports its columns; what points up, against the order, is red. */
import { ROOMS } from "../../.dependency-cruiser.mjs";

const CELL = 22;
const LEFT = 100;
const TOP = 100;

const rankOf = (name) => ROOMS.findIndex((names) => names.includes(name));

const text = (x, y, value, more = "") => `<text x="${x}" y="${y}" ${more}>${value}</text>`;

/** Darker the more imports there are; at once readable for 1 and for 50. */
const shade = (count) => Math.min(1, 0.2 + 0.15 * Math.log2(count)).toFixed(2);

/** @param graph of graphOf; @returns SVG, lowest room at the bottom and at the right */
export function matrixSvg({ rooms, count }, title) {
  const names = rooms.map(({ name }) => name).reverse();
  const side = names.length * CELL;
  const [width, height] = [LEFT + side + 10, TOP + side + 34];
  const parts = [];
  for (const [i, row] of names.entries()) {
    const y = TOP + i * CELL;
    parts.push(text(LEFT - 6, y + 15, row, 'text-anchor="end"'));
    const x = LEFT + i * CELL + 15;
    parts.push(text(x, TOP - 6, row, `transform="rotate(-60 ${x} ${TOP - 6})"`));
    for (const [j, column] of names.entries()) {
      const imports = count(row, column);
      if (i !== j && imports === 0) continue;
      const left = LEFT + j * CELL;
      const against = i !== j && rankOf(column) >= rankOf(row);
      const fill = i === j ? "#bbb" : against ? "#d62728" : "#1f77b4";
      const opacity = i === j || against ? 1 : shade(imports);
      const box = `x="${left}" y="${y}" width="${CELL - 1}" height="${CELL - 1}"`;
      const told = i === j ? row : `${row} imports ${column}: ${imports}`;
      parts.push(`<rect ${box} fill="${fill}" fill-opacity="${opacity}"><title>${told}</title></rect>`);
      if (i === j) continue;
      const colour = against || opacity > 0.6 ? "#fff" : "#000";
      parts.push(text(left + 10.5, y + 15, imports, `text-anchor="middle" font-size="10" fill="${colour}"`));
    }
  }
  parts.push(
    text(LEFT, TOP + side + 20, `${title}: a room on the left imports the rooms above; red points against the order`),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<rect x="${LEFT}" y="${TOP}" width="${side - 1}" height="${side - 1}" fill="#f4f4f4"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}
