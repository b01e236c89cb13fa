/** Copies of the repository's pages for the site: each at its address, with links that the site has. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** Pages that lie outside of docs/, by their address. */
const OTHERS = {
  "CONTRIBUTING.md": "contributing.md",
  "FEATURES.md": "features.md",
  "CHANGELOG.md": "changelog.md",
  "SECURITY.md": "security-policy.md",
  "notebooks/README.md": "tutorials.md",
  "src/engine/README.md": "rooms/engine.md",
  "src/engine/tensorflow/README.md": "rooms/tensorflow.md",
  "src/engine/llvm/README.md": "rooms/llvm.md",
  "src/engine/jit/README.md": "rooms/jit.md",
  "src/kernel/README.md": "rooms/kernel.md",
};

const HERO = `---
layout: home
hero:
  name: AtmoRep
  text: for TypeScript
  tagline: Train, check and open models of the atmosphere. Nothing but Node is needed.
  image: { src: /prediction.svg, alt: "Target, prediction, error and spread of the members, on the map" }
  actions:
    - { theme: brand, text: A first run, link: /guides/first-run }
    - { theme: alt, text: What is computed, link: /method }
    - { theme: alt, text: API, link: /api/ }
---

`;

/** Every page: its path in the repository, and its address. */
export function pagesOf(root) {
  const pages = new Map(Object.entries(OTHERS));
  for (const name of readdirSync(join(root, "docs"), { recursive: true })) {
    const path = name.replaceAll("\\", "/");
    if (path.endsWith(".md")) pages.set(`docs/${path}`, path.replace(/README\.md$/, "index.md"));
  }
  pages.set("README.md", "index.md");
  return pages;
}

/**
 * A page's text for the site.
 * @param path of the page in the repository
 * @param repository address that paths of the repository are appended to, or null
 */
export function forSite(text, path, pages, root, repository) {
  const here = posix.dirname(pages.get(path));
  let fenced = false;
  const lines = text.replace(/<!--[\s\S]*?-->\n?/g, "").split("\n");
  return lines
    .map((line) => {
      if (line.startsWith("```")) fenced = !fenced;
      return fenced ? line : line.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, link);
    })
    .join("\n");

  function link(whole, image, label, target) {
    if (/^[a-z]+:|^#/.test(target)) return whole;
    const [file, anchor] = target.split("#");
    const named = posix.normalize(posix.join(posix.dirname(path), file));
    const page = pages.get(named);
    if (page) return `${image}[${label}](${relative(here, page)}${anchor ? `#${anchor}` : ""})`;
    if (image || named.startsWith("docs/images/"))
      return `${image}[${label}](${relative(here, named.replace(/^docs\//, ""))})`;
    if (!existsSync(join(root, named))) throw new Error(`${path} links to ${target}, which is not there`);
    if (repository) return `[${label}](${repository}/${named})`;
    return label.replaceAll("`", "").endsWith(named) ? label : `${label} (\`${named}\`)`;
  }
}

function relative(from, to) {
  const path = posix.relative(from, to);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Writes all pages and their pictures. */
export function stagePages(root, to, repository) {
  const pages = pagesOf(root);
  for (const [path, address] of pages) {
    // the home page is the list of docs/
    if (path === "README.md") continue;
    let text = forSite(readFileSync(join(root, path), "utf8"), path, pages, root, repository);
    // on the home page the list stands by itself
    if (address === "index.md") text = text.slice(text.indexOf("## "));
    const file = join(to, address);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, (address === "index.md" ? HERO : "") + text);
  }
  cpSync(join(root, "docs", "images"), join(to, "images"), { recursive: true });
  mkdirSync(join(to, "public"), { recursive: true });
  cpSync(join(root, "docs", "images", "prediction.svg"), join(to, "public", "prediction.svg"));
}
