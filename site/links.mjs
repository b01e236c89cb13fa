/** Every link within the built site, looked up: the file, and the place in it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** @returns pages and links counted, and a line for each that leads nowhere */
export function checkLinks(out) {
  const files = readdirSync(out, { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".html"));
  const text = new Map(files.map((name) => [name, readFileSync(join(out, name), "utf8")]));
  const ids = new Map();
  const idsOf = (name) => {
    if (!ids.has(name)) ids.set(name, new Set([...text.get(name).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)));
    return ids.get(name);
  };
  const broken = [];
  let links = 0;
  for (const [name, html] of text) {
    for (const [, raw] of html.matchAll(/<(?:a|img|link|script)\b[^>]*?\s(?:href|src)="([^"]*)"/g)) {
      const target = raw.replaceAll("&amp;", "&");
      if (/^(?:[a-z]+:|\/\/)/.test(target) || target === "") continue;
      links++;
      const [path, anchor] = target.split("#");
      const file =
        path === "" ? name : posix.normalize(posix.join(path.startsWith("/") ? "." : posix.dirname(name), path));
      const found = [file, `${file}.html`, posix.join(file, "index.html")].find((each) =>
        each.endsWith(".html") ? text.has(each) : existsSync(join(out, each)) && each !== ".",
      );
      if (!found) broken.push(`${name}: ${target}`);
      else if (anchor && text.has(found) && !idsOf(found).has(decodeURIComponent(anchor)))
        broken.push(`${name}: no place ${target}`);
    }
  }
  return { pages: files.length, links, broken };
}
