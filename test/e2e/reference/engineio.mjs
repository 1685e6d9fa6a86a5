// Role `engineio`: an Engine.IO v4 echo server.
import { attach } from 'engine.io';

export function serve(server) {
  const engine = attach(server, { pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6, cors: { origin: '*' } });
  engine.on('connection', (socket) => socket.on('message', (message) => socket.send(message)));
}
