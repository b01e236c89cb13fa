import { defineConfig } from "vitepress";

const page = (text, link) => ({ text, link });

const sidebar = [
  {
    text: "By task",
    items: [
      page("A first run", "/guides/first-run"),
      page("Your data", "/guides/your-data"),
      page("Your loss, your mask", "/guides/your-loss"),
      page("Your cluster", "/guides/cluster"),
      page("From and to PyTorch", "/guides/pytorch"),
      page("In a notebook", "/guides/notebook"),
      page("Tutorials", "/tutorials"),
      page("Troubleshooting", "/troubleshooting"),
    ],
  },
  {
    text: "To look up",
    items: [
      page("Configuration keys", "/configuration"),
      page("API", "/api/"),
      page("Input data", "/data"),
      page("Files of a run", "/files"),
      page("Evaluation", "/evaluation"),
      page("Intervals of scores", "/intervals"),
      page("Notebook kernel", "/kernel"),
      page("Several processes", "/scaling"),
      page("Security", "/security"),
      page("Changelog", "/changelog"),
    ],
  },
  {
    text: "To understand",
    items: [
      page("Method", "/method"),
      page("Does it learn", "/skill"),
      page("Beside the original", "/features"),
      page("Performance", "/performance"),
      page("Performance: the log", "/performance-log"),
      page("Reliability", "/reliability"),
    ],
  },
  {
    text: "To change it",
    items: [
      page("Contributing", "/contributing"),
      page("Design", "/architecture"),
      page("Decisions", "/decisions/"),
      page("Adding a loss", "/adding-a-loss"),
      page("The engine room", "/rooms/engine"),
      page("The kernel's room", "/rooms/kernel"),
      page("Who imports whom", "/imports"),
      page("Reporting a weakness", "/security-policy"),
    ],
  },
];

export default defineConfig({
  title: "AtmoRep for TypeScript",
  description: "Train, check and open models of the atmosphere with nothing but Node.",
  lang: "en",
  // for a site below a path, such as /NAME/
  base: process.env.ATMOREP_SITE_BASE ?? "/",
  srcDir: "pages",
  outDir: "out",
  cacheDir: ".cache",
  head: [["link", { rel: "icon", href: "data:," }]],
  themeConfig: {
    nav: [
      page("Guides", "/guides/first-run"),
      page("Keys", "/configuration"),
      page("API", "/api/"),
      page("Method", "/method"),
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
  },
});
