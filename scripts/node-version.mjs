// Imported first by every launcher: an older Node stops here, before anything it cannot run.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`exitgpu needs Node 20.19 or newer; this is ${process.version} (https://nodejs.org)`);
  process.exit(1);
}
