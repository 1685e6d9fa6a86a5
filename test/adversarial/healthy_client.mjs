// test/adversarial/healthy_client.mjs - the well-behaved neighbour: a WebSocket client in a worker thread of its own, so that
// its heartbeat goes on while the test thread builds a bomb. Each message from the parent asks for one echo.
import { parentPort, workerData } from 'node:worker_threads';
import WebSocket from 'ws';

// Per role: path, what to say when open, the n-th question and its answer, as text.
const kEngine = { path: '/engine.io/?EIO=4&transport=websocket', ready: /^0\{/, ask: (n) => `4neighbour ${n}`, answer: (n) => `4neighbour ${n}` };
const kSocketIo = { path: '/socket.io/?EIO=4&transport=websocket', hello: '40', ready: /^40\{/, answer: (n) => `43${n}[${n}]` };
const kRoles = {
  engineio: kEngine,
  'engine-client': kEngine,
  socketio: { ...kSocketIo, ask: (n) => `42${n}["message-with-ack",${n}]` },
  client: { ...kSocketIo, ask: (n) => `42${n}["echo",${n}]` },
  websocket: { path: '/', ask: (n) => `neighbour ${n}`, answer: (n) => `neighbour ${n}` },
  plain: { path: '/', ask: (n) => `{"type":"echo","id":${n},"data":${n}}`, answer: (n) => `{"type":"ack","id":${n},"data":${n}}` },
};

const { role, port } = workerData;
const dialect = kRoles[role];
const socket = new WebSocket(`ws://127.0.0.1:${port}${dialect.path}`, { perMessageDeflate: false });
let count = 0;

const gone = (why) => parentPort.postMessage({ gone: why });
socket.on('error', (error) => gone(error.message));
socket.on('close', (code) => gone(`closed with ${code}`));
socket.on('open', () => {
  if (dialect.hello) socket.send(dialect.hello);
  if (!dialect.ready) parentPort.postMessage({ ready: true });
});
socket.on('message', (data) => {
  const message = data.toString();
  if (message === '2') socket.send('3');
  else if (dialect.ready?.test(message)) parentPort.postMessage({ ready: true });
  else if (count > 0 && message === dialect.answer(count)) parentPort.postMessage({ echoed: count });
});
parentPort.on('message', (command) => {
  if (command === 'stop') process.exit(0);
  count += 1;
  socket.send(dialect.ask(count));
});
