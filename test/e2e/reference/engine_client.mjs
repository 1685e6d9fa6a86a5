// Role `engine-client`: what an Engine.IO client's own tests need.
import { attach } from 'engine.io';

const kUtf8 = 'пойду спать всем спокойной ночи';

export function serve(server) {
  const engine = attach(server, {
    pingInterval: 500,
    maxHttpBufferSize: 100,
    allowRequest: (incoming, decide) => decide(null, !new URL(incoming.url, 'http://h').searchParams.has('deny')),
  });
  engine.on('initial_headers', (headers) => {
    headers['Set-Cookie'] = [
      '1=1; Max-Age=86400',
      '2=2; Path=/; HttpOnly; Secure; SameSite=Strict',
      '3=3; Max-Age=0',
      `4=4; Expires=${new Date().toUTCString()}`,
    ];
  });
  // The POST that carries a message is gone by the time the message is handled; its headers are kept by session.
  const lastHeaders = new Map();
  engine.on('headers', (headers, incoming) => {
    const { sid } = incoming._query ?? {};
    if (sid) lastHeaders.set(sid, incoming.headers);
  });
  engine.on('connection', (socket) => {
    socket.send('hi');
    socket.on('message', (message) => {
      if (message === 'give binary') socket.send(Buffer.from([0, 1, 2, 3, 4]));
      else if (message === 'give utf8') socket.send(kUtf8);
      else if (message === 'sendHeaders') {
        const headers = socket.transport.dataReq?.headers ?? lastHeaders.get(socket.id) ?? socket.request.headers;
        socket.send(JSON.stringify(headers));
      } else socket.send(message);
    });
    socket.on('close', () => lastHeaders.delete(socket.id));
  });
}
