// Asks a Worker's inspector how much memory its isolate holds after a collection: inspector.mjs PORT URL
// The isolate collects only while it serves, so the URL is asked all the while.
setTimeout(() => process.exit(1), 60_000);
setInterval(() => fetch(process.argv[3]).then((answer) => answer.text()), 50);
const [target] = await (await fetch(`http://127.0.0.1:${process.argv[2]}/json`)).json();
const socket = new WebSocket(target.webSocketDebuggerUrl, { headers: { origin: 'http://localhost' } });
await new Promise((opened, failed) => {
  socket.onopen = opened;
  socket.onerror = (event) => failed(event.error ?? new Error(event.message));
});
const waiting = new Map();
socket.onmessage = ({ data }) => {
  const answer = JSON.parse(data);
  waiting.get(answer.id)?.(answer.result);
};
const call = (method) =>
  new Promise((answered) => {
    const id = waiting.size + 1;
    waiting.set(id, answered);
    socket.send(JSON.stringify({ id, method, params: {} }));
  });
await call('HeapProfiler.enable');
await call('HeapProfiler.collectGarbage');
const { usedSize, embedderHeapUsedSize, backingStorageSize } = await call('Runtime.getHeapUsage');
console.log(usedSize + embedderHeapUsedSize + backingStorageSize);
// The socket would stay open: wrangler does not answer its closing.
process.exit(0);
