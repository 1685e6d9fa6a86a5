// The start page: one Socket.IO client and one plain WebSocket client, both in the room "lobby".
// The Socket.IO client here speaks the protocol by hand over a WebSocket (the page loads nothing from elsewhere); programs use
// the official socket.io-client.
const room = 'lobby';
const origin = location.origin;
const wsOrigin = origin.replace(/^http/, 'ws');
for (const each of document.querySelectorAll('.origin')) each.textContent = origin;
for (const each of document.querySelectorAll('.ws-origin')) each.textContent = wsOrigin;

// The same sender has the same colour in both panes.
function hue(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360;
  return sum;
}

function pane(id) {
  const element = document.getElementById(id);
  const lines = element.querySelector('.lines');
  return {
    state(text) { element.querySelector('.state').textContent = text; },
    line({ from, text }) {
      const item = document.createElement('li');
      const who = document.createElement('small');
      const said = document.createElement('span');
      who.textContent = String(from).slice(0, 6);
      said.textContent = typeof text === 'string' ? text : JSON.stringify(text);
      item.style.setProperty('--hue', hue(String(from)));
      item.append(who, said);
      lines.append(item);
      while (lines.children.length > 200) lines.firstChild.remove();
      lines.scrollTop = lines.scrollHeight;
    },
    // `socket()` is the one of the moment. What cannot leave stays in the field.
    onSay(socket, encode) {
      element.querySelector('form').addEventListener('submit', (event) => {
        event.preventDefault();
        const input = event.target.elements.text;
        input.focus();
        if (socket().readyState !== WebSocket.OPEN) return;
        socket().send(encode(input.value));
        input.value = '';
      });
    },
  };
}

// Connects again after a while, for as long as the page is open.
function keepOpen(makeSocket) {
  let current;
  const open = () => {
    current = makeSocket();
    current.addEventListener('close', () => setTimeout(open, 1000 + 1000 * Math.random()));
  };
  open();
  return () => current;
}

function socketIo() {
  const view = pane('socketio');
  const current = keepOpen(() => {
    const socket = new WebSocket(`${wsOrigin}/socket.io/?EIO=4&transport=websocket`);
    socket.addEventListener('close', () => view.state('disconnected, trying again'));
    socket.addEventListener('message', ({ data }) => {
      if (data[0] === '0') socket.send('40');
      if (data === '2') socket.send('3');
      if (data.startsWith('40')) socket.send(`420${JSON.stringify(['join', { room }])}`);
      if (data.startsWith('430')) view.state(`in the room ${room}`);
      if (data.startsWith('42')) {
        const [event, line] = JSON.parse(data.slice(2));
        if (event === 'said') view.line(line);
      }
    });
    return socket;
  });
  view.onSay(current, (text) => `42${JSON.stringify(['say', { room, text }])}`);
}

function plain() {
  const view = pane('plain');
  const current = keepOpen(() => {
    const socket = new WebSocket(`${wsOrigin}/`);
    socket.addEventListener('close', () => view.state('disconnected, trying again'));
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'join', room, id: 1 })));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'ack' && message.id === 1) view.state(`in the room ${room}`);
      if (message.type === 'error') view.state(`error: ${message.message}`);
      if (message.type === 'said') view.line(message);
    });
    return socket;
  });
  view.onSay(current, (text) => JSON.stringify({ type: 'say', room, text }));
}

socketIo();
plain();
