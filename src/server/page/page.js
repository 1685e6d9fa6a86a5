// The start page: one Socket.IO client and one plain WebSocket client, both in the room "lobby".
// The Socket.IO client here speaks the protocol by hand over a WebSocket (the page loads nothing from elsewhere); programs use
// the official socket.io-client.
const room = 'lobby';
const origin = location.origin;
const wsOrigin = origin.replace(/^http/, 'ws');
for (const each of document.querySelectorAll('.origin')) each.textContent = origin;
for (const each of document.querySelectorAll('.ws-origin')) each.textContent = wsOrigin;

function pane(id) {
  const element = document.getElementById(id);
  const lines = element.querySelector('.lines');
  return {
    state(text) { element.querySelector('.state').textContent = text; },
    line({ from, text }, own) {
      const item = document.createElement('li');
      const who = document.createElement('small');
      who.textContent = String(from).slice(0, 6);
      item.append(who, typeof text === 'string' ? text : JSON.stringify(text));
      item.classList.toggle('own', own);
      lines.append(item);
      while (lines.children.length > 200) lines.firstChild.remove();
      lines.scrollTop = lines.scrollHeight;
    },
    onSay(send) {
      element.querySelector('form').addEventListener('submit', (event) => {
        event.preventDefault();
        const input = event.target.elements.text;
        send(input.value);
        input.value = '';
        input.focus();
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
  let id = '';
  const current = keepOpen(() => {
    const socket = new WebSocket(`${wsOrigin}/socket.io/?EIO=4&transport=websocket`);
    socket.addEventListener('close', () => view.state('disconnected, trying again'));
    socket.addEventListener('message', ({ data }) => {
      if (data[0] === '0') socket.send('40');
      if (data === '2') socket.send('3');
      if (data.startsWith('40')) {
        id = JSON.parse(data.slice(2)).sid;
        view.state(`connected as ${id}`);
        socket.send(`42${JSON.stringify(['join', { room }])}`);
      }
      if (data.startsWith('42')) {
        const [event, line] = JSON.parse(data.slice(2));
        if (event === 'said') view.line(line, line.from === id);
      }
    });
    return socket;
  });
  view.onSay((text) => current().send(`42${JSON.stringify(['say', { room, text }])}`));
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
      if (message.type === 'said') view.line(message, false);
    });
    return socket;
  });
  view.onSay((text) => current().send(JSON.stringify({ type: 'say', room, text })));
}

async function figures() {
  try {
    const { statistics } = await (await fetch('/health')).json();
    document.getElementById('figures').textContent = `${statistics.sockets} sockets, ${statistics.deliveries} deliveries`;
  } catch {
    document.getElementById('figures').textContent = 'out of reach';
  }
}

socketIo();
plain();
figures();
setInterval(figures, 2000);
