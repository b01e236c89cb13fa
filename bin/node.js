/** The one thing that must be there before anything else. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(
    `error: atmorep needs Node 20.19 or newer; this is Node ${process.versions.node}. Install a newer Node from https://nodejs.org.\n`,
  );
  process.exit(1);
}
