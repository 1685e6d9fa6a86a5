// Role `client`: what the official client's own tests need.
import { Server } from 'socket.io';

const kBytes = Buffer.from('asdfasdf', 'utf8');
const kUtf8 = ['てすと', 'Я Б Г Д Ж Й', 'Ä ä Ü ü ß', 'utf8 — string', 'utf8 — string'];

const refuse = (message) => (socket, next) => next(new Error(message));
const answerId = (socket) => socket.on('getId', (ack) => ack?.(socket.id));

export function serve(server) {
  const io = new Server(server, {
    pingInterval: 2000,
    serveClient: false,
    allowRequest: (incoming, decide) => setTimeout(() => decide(null, true), 10),
  });
  io.use((socket, next) => next('fail' in socket.handshake.query ? new Error('Auth failed (main namespace)') : undefined));
  io.on('connection', (socket) => {
    answerId(socket);
    listenForValues(socket);
    listenForBinary(socket);
  });
  io.of('/foo').on('connection', answerId);
  io.of('/abc').on('connection', (socket) => socket.emit('handshake', socket.handshake));
  io.of('/no').use(refuse('Auth failed (custom namespace)'));
  for (const name of ['/timeout_socket', '/valid', '/asd']) io.of(name);
}

function listenForValues(socket) {
  socket.on('getHandshake', (ack) => ack?.(socket.handshake));
  socket.on('hi', () => socket.emit('hi'));
  socket.on('echo', (value, ack) => ack?.(value));
  socket.on('ack', () => {
    socket.emit('ack', (number, object) => {
      if (number === 5 && object?.test) socket.emit('got it');
    });
  });
  socket.on('false', () => socket.emit('false', false));
  socket.on('getAckDate', (_, ack) => ack?.(new Date()));
  socket.on('getDate', () => socket.emit('takeDate', new Date()));
  socket.on('getDateObj', () => socket.emit('takeDateObj', { date: new Date() }));
  socket.on('getUtf8', () => {
    for (const each of kUtf8) socket.emit('takeUtf8', each);
  });
}

function listenForBinary(socket) {
  const isAsked = (value, key) => value?.hello === 'lol' && Buffer.isBuffer(value[key]) && value.goodbye === 'gotcha';
  socket.on('doge', () => socket.emit('doge', kBytes));
  socket.on('getbin', () => socket.emit('takebin', kBytes));
  socket.on('buffa', (bytes) => Buffer.isBuffer(bytes) && socket.emit('buffack'));
  socket.on('blob', (bytes) => Buffer.isBuffer(bytes) && socket.emit('back'));
  for (const name of ['jsonbuff', 'jsonblob']) {
    socket.on(name, (value) => isAsked(value, 'message') && socket.emit(`${name}-ack`));
  }
  let first = false;
  socket.on('abuff1', (bytes) => (first = Buffer.isBuffer(bytes)));
  socket.on('abuff2', () => first && socket.emit('abuff2-ack'));
  let stage = 0;
  socket.on('blob1', (bytes) => (stage = Buffer.isBuffer(bytes) ? 1 : 0));
  socket.on('blob2', (value) => (stage = stage === 1 && value === 'second' ? 2 : 0));
  socket.on('blob3', (bytes) => stage === 2 && Buffer.isBuffer(bytes) && socket.emit('blob3-ack'));
}
