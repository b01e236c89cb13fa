/** SVG as PNG, by a package that is looked for when it is needed: it is not installed with this one. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";

const NAME = "@napi-rs/canvas";
const VERSION = "1.1.1";
/** Pixels of the picture a pixel of the figure, for print and large screens. */
const SCALE = 2;

interface Canvas {
  loadImage(source: Buffer): Promise<{ width: number; height: number }>;
  createCanvas(
    width: number,
    height: number,
  ): {
    getContext(kind: "2d"): {
      fillStyle: string;
      fillRect(...box: number[]): void;
      drawImage(image: unknown, ...box: number[]): void;
    };
    toBuffer(type: "image/png"): Buffer;
  };
  GlobalFonts: { families: readonly unknown[] };
}

/**
 * @returns the bytes of a PNG of twice the figure's pixels, on white
 * @throws AtmorepError (input) where the package or fonts are missing
 */
export async function pngOf(svg: string): Promise<Buffer> {
  const { loadImage, createCanvas, GlobalFonts } = loadCanvas();
  if (GlobalFonts.families.length === 0) {
    throw new AtmorepError("input", "a picture has text, and this machine has no fonts", {
      fix: "apt-get install fonts-dejavu-core, or save as .svg",
    });
  }
  const image = await loadImage(Buffer.from(svg));
  const [width, height] = [image.width * SCALE, image.height * SCALE];
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return canvas.toBuffer("image/png");
}

/** From the notebook's folder upwards, or from beside this package. */
function loadCanvas(): Canvas {
  for (const from of [join(process.cwd(), "notebook.js"), import.meta.url]) {
    const require = createRequire(from);
    try {
      require.resolve(NAME);
    } catch {
      continue;
    }
    return require(NAME) as Canvas;
  }
  throw new AtmorepError("input", `PNG is drawn by the package ${NAME}, which is not installed`, {
    fix: `npm install --no-save ${NAME}@${VERSION} (MIT), or save as .svg`,
  });
}
