// Imported before all others, and importing nothing: what comes after may not even load on an older Node.
const NEEDED = [20, 20] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(`millrace: expected Node ${NEEDED.join('.')} or newer, got ${process.versions.node}`);
  process.exit(1);
}
