/**
 * Colours that keep their order in grey and for colour-blind readers: viridis and cividis (perceptually uniform) for
 * amounts, ColorBrewer's RdBu for signed differences, Okabe and Ito's set for kinds.
 */
import type { CategoryScale, ColorScale } from "./types.js";
import { isContinuous } from "./types.js";

/** Evenly spaced anchors, from the low end to the high end. */
export const PALETTES: Readonly<Record<ColorScale["palette"], readonly string[]>> = {
  viridis: "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725".split(" "),
  cividis: "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838".split(" "),
  RdBu: "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f".split(" "),
};

/** Okabe and Ito 2008, without yellow, which vanishes on white. */
const CATEGORY_COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"] as const;

/** The k-th colour for kinds; they repeat. */
export const categoryColor = (k: number): string => CATEGORY_COLORS[k % CATEGORY_COLORS.length];

/** `#rrggbb` anchors of a palette. */
export const paletteColors = (palette: ColorScale["palette"]): string[] => PALETTES[palette].map((hex) => `#${hex}`);

/** Red, green, blue (0 to 255) of a value; null for NaN, which stays blank. */
export function colorOf(value: number, colors: ColorScale | CategoryScale): [number, number, number] | null {
  if (Number.isNaN(value)) return null;
  if (!isContinuous(colors)) return rgb(colors.categories[value].color.slice(1));
  const anchors = PALETTES[colors.palette];
  const [low, high] = colors.range;
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
  const place = share * (anchors.length - 1);
  const below = Math.min(anchors.length - 2, Math.floor(place));
  const [a, b] = [rgb(anchors[below]), rgb(anchors[below + 1])];
  const mix = (i: number) => Math.round(a[i] + (b[i] - a[i]) * (place - below));
  return [mix(0), mix(1), mix(2)];
}

function rgb(hex: string): [number, number, number] {
  const n = Number.parseInt(hex, 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}
