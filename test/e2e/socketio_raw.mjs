// test/e2e/socketio_raw.mjs - Socket.IO packets by hand over a raw WebSocket or a polling session.
import assert from 'node:assert/strict';
import { PollingSession } from './polling.mjs';
import { RawWebSocket } from './wire.mjs';

const kPath = '/socket.io/';
const kTarget = `${kPath}?EIO=4&transport=websocket`;

// An open Engine.IO connection, the open packet read, no namespace joined. `query` begins with '&'.
export async function openEngine(server, { query = '', ...options } = {}) {
  const socket = await RawWebSocket.open(server.port, `${kTarget}${query}`, options);
  assert.equal(socket.response?.status, 101, `upgrade refused: ${socket.response?.body}`);
  socket.handshake = JSON.parse((await socket.next()).slice(1));
  return socket;
}

// The same with a namespace joined; what the server emits on connection stays in the inbox. socket.id is the Socket.IO id.
export async function joined(server, { namespace = '/', auth, ...options } = {}) {
  const socket = await openEngine(server, options);
  const prefix = namespace === '/' ? '' : `${namespace},`;
  await socket.send(`40${prefix}${auth === undefined ? '' : JSON.stringify(auth)}`);
  const answer = await socket.next();
  assert.ok(answer?.startsWith(`40${prefix}{`), `CONNECT answered by ${answer}`);
  socket.id = JSON.parse(answer.slice(2 + prefix.length)).sid;
  return socket;
}

export async function joinedByPolling(server, options = {}) {
  const session = await PollingSession.open(server, { path: kPath, ...options });
  await session.post('40');
  const answer = await session.next();
  assert.ok(answer.startsWith('40{'), `CONNECT answered by ${answer}`);
  return session;
}
