// What graphql_flutter 5.2 sends, frame by frame, for there is no Dart here: read from its websocket_client.dart,
// websocket_messages.dart and gql_link's RequestSerializer.
//
// It differs from npm graphql-ws: in the old subprotocol operations go out before the ack; an operation comes back with
// its old id, and its serialiser is asked for it again; a pong carries `payload: null`; it always reconnects, whatever the
// close code.

import { randomUUID } from 'node:crypto';
import { Kind, parse, print, visit } from 'graphql';

const TYPENAME = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** Its `gql(..)`: each selection also asks for its type, the root of a subscription does not. */
export function gql(document) {
  const withTypename = (node) => {
    if (!node.selectionSet || (node.kind === Kind.OPERATION_DEFINITION && node.operation === 'subscription')) return;
    const { selections } = node.selectionSet;
    if (selections.some(({ name }) => name?.value === '__typename')) return;
    return { ...node, selectionSet: { ...node.selectionSet, selections: [TYPENAME, ...selections] } };
  };
  const enter = withTypename;
  const text = typeof document === 'string' ? parse(document) : document;
  return visit(text, { Field: { enter }, OperationDefinition: { enter }, FragmentDefinition: { enter } });
}

/** The body of a request. */
export function serialize(document, variables = {}) {
  return { operationName: null, variables, query: print(gql(document)) };
}

/** `ResumingSerializer` of examples/flutter/live.dart: the newest cursor goes into the variables. */
function resuming({ document, variables, place }) {
  const body = serialize(document, variables);
  return place?.cursor ? { ...body, variables: { ...variables, after: place.cursor } } : body;
}

/** `Place` of examples/flutter/live.dart. */
export class Place {
  seen = new Set();

  take(item) {
    this.cursor = item?.cursor ?? this.cursor;
    if (!item?.id || !item.cursor) return true;
    if (this.seen.size === 1000) this.seen.delete([...this.seen][0]);
    return !this.seen.has(item.id) && Boolean(this.seen.add(item.id));
  }
}

/** Its SocketClient. */
export class SocketClient {
  operations = new Map();
  messages = [];
  /** How often it gave a socket up since it heard no `ka`. */
  drops = 0;
  closes = [];

  constructor(url, { protocol = 'graphql-ws', initialPayload, inactivityMs = 30_000, reconnectMs = 5000, ...options }) {
    Object.assign(this, { url: url.replace(/^http/, 'ws'), protocol, initialPayload, inactivityMs, reconnectMs, options });
    this.isOld = protocol === 'graphql-ws';
    this.connect();
  }

  async connect() {
    const { webSocketImpl: Socket, headers, onAck } = this.options;
    const { initialPayload } = this;
    const payload = typeof initialPayload === 'function' ? await initialPayload() : initialPayload;
    if (this.isDisposed) return;
    const socket = new Socket(this.url, [this.protocol], { headers });
    this.socket = socket;
    socket.on('open', () => {
      this.write({ type: 'connection_init', ...(payload != null && { payload }) });
      if (this.isOld) this.begin();
    });
    socket.on('message', (text) => {
      const message = JSON.parse(text);
      this.messages.push({ ...message, at: Date.now() });
      if (message.type === 'connection_ack') {
        onAck?.();
        if (!this.isOld) this.begin();
      }
      this.take(message);
    });
    socket.on('error', () => {});
    socket.on('close', (code) => this.lost(socket, code));
  }

  /** The socket may be used: waiting operations go out, and the watch for signs of life begins. */
  begin() {
    this.watch();
    for (const id of this.operations.keys()) this.start(id);
  }

  start(id) {
    const payload = resuming(this.operations.get(id));
    this.write({ type: this.isOld ? 'start' : 'subscribe', id, payload });
  }

  write(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** Old: no `ka` for too long closes the socket. New: a ping goes out. */
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.isOld) return this.write({ type: 'ping', payload: {} });
      this.drops++;
      this.socket.close(1000);
    }, this.inactivityMs);
  }

  take({ type, id, payload }) {
    const operation = this.operations.get(id);
    if (type === (this.isOld ? 'ka' : 'pong')) this.watch();
    if (type === 'ping' && !this.isOld) this.write({ type: 'pong', payload: null });
    if (type === 'data' || type === 'next') operation?.take({ data: payload.data, errors: payload.errors });
    if (type === 'error') operation?.take({ errors: payload });
    if (type === 'complete') {
      this.operations.delete(id);
      operation?.done();
    }
  }

  lost(socket, code) {
    this.closes.push(code);
    if (socket !== this.socket || this.isDisposed) return;
    clearTimeout(this.timer);
    const wait = this.options.onConnectionLost?.(code) ?? this.reconnectMs;
    setTimeout(() => this.isDisposed || this.connect(), wait);
  }

  /** Starts an operation, and hands its results to `take`. The answer stops it. */
  subscribe(document, variables, take, { done = () => {}, place } = {}) {
    const id = randomUUID();
    this.operations.set(id, { document, variables, place, take, done });
    const isLive = () => this.socket?.readyState === 1 && (this.isOld || this.messages.length > 0);
    if (isLive()) this.start(id);
    return () => {
      this.operations.delete(id);
      if (isLive()) this.write({ type: this.isOld ? 'stop' : 'complete', id });
    };
  }

  /** The one result of a query or mutation. */
  run(document, variables) {
    return new Promise((resolve) => {
      let result;
      this.subscribe(document, variables, (it) => (result = it), { done: () => resolve(result) });
    });
  }

  dispose() {
    this.isDisposed = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
  }
}
