// The start page: one Socket.IO client and one plain WebSocket client, both in the room "lobby".
// The Socket.IO client here speaks the protocol by hand over a WebSocket (the page loads nothing from elsewhere); programs use
// the official socket.io-client. Where the server listens is in /page.json; a token stands behind the address (#token=...), which
// no server sees.
const room = 'lobby';
const settings = await (await fetch('/page.json')).json();
const token = new URLSearchParams(location.hash.slice(1)).get('token');
addEventListener('hashchange', () => location.reload());
const origin = location.origin;
const wsOrigin = origin.replace(/^http/, 'ws');
for (const each of document.querySelectorAll('.origin')) each.textContent = origin;
for (const each of document.querySelectorAll('.ws-origin')) each.textContent = wsOrigin;
for (const each of document.querySelectorAll('.socketio-path')) each.textContent = settings.socketio ?? 'off';
for (const each of document.querySelectorAll('.plain-path')) each.textContent = settings.plain ?? 'off';
for (const each of document.querySelectorAll('.api')) each.hidden = !settings.api;
const options = [settings.socketio === '/socket.io/' ? '' : `path: "${settings.socketio}"`, token ? 'auth: { token }' : ''].filter(Boolean);
if (options.length > 0) for (const each of document.querySelectorAll('.io-options')) each.textContent = `, { ${options.join(', ')} }`;

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

// Connects again after a while, for as long as the page is open; what the server said against it stays on the screen.
function keepOpen(view, makeSocket) {
  let current;
  const open = () => {
    let why = '';
    current = makeSocket((text) => {
      why = text;
      view.state(text);
    });
    current.addEventListener('close', ({ code }) => {
      view.state(`${why || `disconnected (${code})`}, trying again`);
      setTimeout(open, 1000 + 1000 * Math.random());
    });
  };
  open();
  return () => current;
}

function socketIo() {
  const view = pane('socketio');
  if (!settings.socketio) return view.state('off');
  const current = keepOpen(view, (refused) => {
    const socket = new WebSocket(`${wsOrigin}${settings.socketio}?EIO=4&transport=websocket`);
    socket.addEventListener('message', ({ data }) => {
      if (data[0] === '0') socket.send(token ? `40${JSON.stringify({ token })}` : '40');
      if (data === '2') socket.send('3');
      if (data.startsWith('40')) socket.send(`420${JSON.stringify(['join', { room }])}`);
      if (data.startsWith('44')) {
        const { message, data: details } = JSON.parse(data.slice(2));
        refused(`refused: ${details?.message ?? message}`);
        socket.close();
      }
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
  if (!settings.plain) return view.state('off');
  const current = keepOpen(view, (refused) => {
    const socket = new WebSocket(`${wsOrigin}${settings.plain}${token ? `?token=${encodeURIComponent(token)}` : ''}`);
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'join', room, id: 1 })));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'ack' && message.id === 1) view.state(`in the room ${room}`);
      if (message.type === 'error') refused(`refused: ${message.message}`);
      if (message.type === 'said') view.line(message);
    });
    return socket;
  });
  view.onSay(current, (text) => JSON.stringify({ type: 'say', room, text }));
}

socketIo();
plain();
