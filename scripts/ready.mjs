// Waits until a URL answers: ready.mjs URL PID. Ends with 1 when the process that should serve it is gone.
const [url, pid] = process.argv.slice(2);
for (;;) {
  try {
    await fetch(url);
    process.exit(0);
  } catch {
    try {
      process.kill(Number(pid), 0);
    } catch {
      process.exit(1);
    }
    await new Promise((later) => setTimeout(later, 200));
  }
}
