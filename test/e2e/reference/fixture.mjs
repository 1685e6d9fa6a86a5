// test/e2e/reference/fixture.mjs - the roles of tidewire-fixture on the npm servers: `node fixture.mjs ROLE --port N`.
//
// What a valid-behaviour suite asks must hold here too; otherwise the suite is wrong. Options that only tidewire knows
// (--shards, --flush) are read and ignored.
import http from 'node:http';

const roles = {
  engineio: () => import('./engineio.mjs'),
  'engine-client': () => import('./engine_client.mjs'),
  socketio: () => import('./socketio.mjs'),
  client: () => import('./client.mjs'),
  websocket: () => import('./websocket.mjs'),
};

const [role, ...options] = process.argv.slice(2);
if (!roles[role]) {
  console.error(`no reference for role ${role}`);
  process.exit(2);
}
const portAt = options.indexOf('--port');
const port = portAt < 0 ? 0 : Number(options[portAt + 1]);

const server = http.createServer((incoming, outgoing) => outgoing.writeHead(404, { 'Content-Length': 0 }).end());
const { serve } = await roles[role]();
serve(server);
server.listen(port, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
