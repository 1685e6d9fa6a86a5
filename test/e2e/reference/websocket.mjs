// Role `websocket`: a raw WebSocket echo server.
import { WebSocketServer } from 'ws';

export function serve(server) {
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    maxPayload: 64 * 1024 * 1024,
    maxFragments: 0,
    maxBufferedChunks: 0,
  });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
}
