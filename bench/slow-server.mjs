// Serves a folder over http, slowly and with faults: an answer takes 50 ms, every 50th request gets 503. A process of its own:
// fork() it with the folder; it sends { port }, on any message what it was asked, and ends with its parent.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const root = process.argv[2];
const told = { requests: 0, refused: 0 };
const server = createServer((request, response) => {
  told.requests += 1;
  const refuses = told.requests % 50 === 0;
  setTimeout(() => {
    if (refuses) {
      told.refused += 1;
      response.writeHead(503).end();
      return;
    }
    const path = join(root, decodeURIComponent(new URL(request.url, "http://x").pathname));
    const info = statSync(path, { throwIfNoEntry: false });
    if (!info?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Length": info.size, ETag: `"${info.size}-${info.mtimeMs}"` });
    createReadStream(path).pipe(response);
  }, 50);
});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("message", () => process.send(told));
process.on("disconnect", () => process.exit());
