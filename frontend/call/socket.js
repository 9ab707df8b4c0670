// The call's WebSocket: audio frames and events both ways, and back on the line by itself when the network drops.
//
// A call outlives its socket by `GRACE_SECONDS` on the server, which repeats the events that were missed. Emits, as CustomEvents:
// ready {call}, event {sequence, event}, latency, audio (detail: ArrayBuffer), clear, message, transfer {to, label}, ended {reason, detail, url},
// lost {attempt}, gone (the grace is over), error {error: the server's error shape, code}, trouble (that shape; the call goes on).

export const GRACE_SECONDS = 15;
const BACKOFF = [0.2, 0.5, 1, 2, 2, 2, 2, 2, 2, 2];
const CONNECT_SECONDS = 10;
const PING_SECONDS = 4;
// A socket from which nothing has come for so long is dead, whatever the browser believes.
const SILENT_SECONDS = 10;

/** Close codes of the server after which trying again is no use. */
const REFUSALS = {
  4401: { error_code: "not_authenticated", title: "You are signed out", message: "Sign in again in this browser, then start the call." },
  4402: { error_code: "quota_exceeded", title: "There is no money for the call", message: "See under Billing what is left and which budgets there are." },
  4403: { error_code: "permission_denied", title: "Your role does not allow calls", message: "Ask an owner of this workspace for a role that may talk to agents." },
  4404: { error_code: "not_found", title: "This agent is not here", message: "It was deleted, or it is not yours to call." },
  4429: { error_code: "concurrency_limited", title: "Too many calls at once", message: "Wait until another call has ended, then try again." },
  4503: { error_code: "models_loading", title: "The models are still loading", message: "The pill in the side bar shows how far they are. Try again in a moment." },
};
const UNREACHABLE = {
  error_code: "unreachable",
  title: "The server does not answer",
  message: "Callwright may be restarting, or this computer is off the network. Check that the page still reloads, then try again.",
};

export class CallSocket extends EventTarget {
  /** @param {string} url absolute ws(s) address @param {object} environment WebSocket, setTimeout, clearTimeout and now, for tests */
  constructor(url, environment = {}) {
    super();
    this.url = url;
    this.environment = {
      WebSocket: globalThis.WebSocket,
      setTimeout: (...args) => setTimeout(...args),
      clearTimeout: (timer) => clearTimeout(timer),
      now: () => performance.now() / 1000,
      ...environment,
    };
    this.call = null;
    this.sequence = -1;
    this.timers = new Set();
    this.pings = 0;
    this.over = false;
  }

  connect() {
    const { WebSocket } = this.environment;
    const address = new URL(this.url);
    if (this.call) {
      address.searchParams.set("call", this.call.id);
      address.searchParams.set("after", String(this.sequence));
    }
    const socket = (this.socket = new WebSocket(address.href));
    socket.binaryType = "arraybuffer";
    this.ready = false;
    this.heardAt = this.environment.now();
    socket.onmessage = ({ data }) => socket === this.socket && this.#received(data);
    socket.onclose = ({ code }) => socket === this.socket && this.#closed(code);
    this.connecting = this.#later(CONNECT_SECONDS, () => this.#drop());
  }

  /** @param {ArrayBuffer} frame dropped while there is no line: late speech is of no use */
  sendAudio(frame) {
    if (this.ready && this.socket.readyState === 1) this.socket.send(frame);
  }

  /** Returns whether it was sent. */
  send(message) {
    if (!this.ready || this.socket.readyState !== 1) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** End it from this side. The server answers with "ended"; if it cannot, the socket closes anyway. */
  hangUp() {
    if (!this.send({ type: "hang_up" })) this.close();
  }

  close() {
    this.#finish();
    this.socket?.close(1000);
  }

  #later(seconds, action) {
    const timer = this.environment.setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, seconds * 1000);
    this.timers.add(timer);
    return timer;
  }

  #cancel(timer) {
    this.timers.delete(timer);
    this.environment.clearTimeout(timer);
  }

  #finish() {
    this.over = true;
    this.ready = false;
    for (const timer of this.timers) this.#cancel(timer);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #received(data) {
    this.heardAt = this.environment.now();
    if (typeof data !== "string") return this.#tell("audio", data);
    const message = JSON.parse(data);
    if (this.error && message.type !== "error") this.#tell("trouble", this.#takeError());
    switch (message.type) {
      case "ready":
        return this.#connected(message);
      case "event":
        this.sequence = message.sequence;
        return this.#tell("event", message);
      case "error":
        this.error = message.error; // told with the close that follows, or as trouble if the call goes on
        return undefined;
      case "ended":
        this.#finish();
        return this.#tell("ended", message);
      case "latency":
      case "clear":
      case "message":
      case "transfer":
        return this.#tell(message.type, message);
      default:
        return undefined; // "pong" has done its work by arriving; unknown messages are from a newer server
    }
  }

  #takeError() {
    const { error } = this;
    this.error = null;
    return error;
  }

  #connected(message) {
    this.ready = true;
    this.call = message.call;
    this.lostAt = undefined;
    this.#cancel(this.connecting);
    this.#tell("ready", message);
    this.#ping();
  }

  #ping() {
    this.#cancel(this.pinging);
    this.pinging = this.#later(PING_SECONDS, () => {
      if (this.environment.now() - this.heardAt > SILENT_SECONDS) return this.#drop();
      this.send({ type: "ping", n: ++this.pings });
      return this.#ping();
    });
  }

  /** Give up on a socket that says nothing, without waiting for its closing handshake. */
  #drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.#closed(1006);
  }

  #closed(code) {
    if (this.over) return;
    this.ready = false;
    this.#cancel(this.connecting);
    this.#cancel(this.pinging);
    const refused = code in REFUSALS;
    if (!this.call || (this.error && code !== 1006) || (refused && code !== 4404)) {
      this.#finish();
      this.#tell("error", { error: this.error ?? REFUSALS[code] ?? UNREACHABLE, code });
    } else if (refused || this.#graceLeft() <= 0) {
      this.#finish();
      this.#tell("gone", { code });
    } else this.#retry();
  }

  #graceLeft() {
    this.lostAt ??= this.environment.now();
    return this.lostAt + GRACE_SECONDS - this.environment.now();
  }

  #retry() {
    if (this.attemptsSince !== this.lostAt) {
      this.attemptsSince = this.lostAt;
      this.attempt = 0;
    }
    const wait = Math.min(BACKOFF[Math.min(this.attempt, BACKOFF.length - 1)], this.#graceLeft());
    this.attempt += 1;
    this.#tell("lost", { attempt: this.attempt });
    this.#later(wait, () => this.connect());
  }
}
