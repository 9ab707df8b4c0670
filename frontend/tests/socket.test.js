import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { CallSocket, GRACE_SECONDS } from "../call/socket.js";

/** A clock, timers and sockets that move only when told to. */
class World {
  constructor() {
    this.time = 0;
    this.timers = [];
    this.sockets = [];
    const world = this;
    this.environment = {
      now: () => this.time,
      setTimeout: (action, ms) => {
        const timer = { action, at: this.time + ms / 1000 };
        this.timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => (this.timers = this.timers.filter((other) => other !== timer)),
      WebSocket: class {
        constructor(url) {
          Object.assign(this, { url, readyState: 1, sent: [] });
          world.sockets.push(this);
        }
        send(data) {
          this.sent.push(data);
        }
        close() {
          this.readyState = 3;
        }
        receive(message) {
          this.onmessage({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
        }
        drop(code = 1006) {
          this.readyState = 3;
          this.onclose({ code });
        }
      },
    };
  }
  get socket() {
    return this.sockets.at(-1);
  }
  pass(seconds) {
    const until = this.time + seconds;
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.action();
    }
    this.time = until;
  }
}

const READY = { type: "ready", call: { id: "call_1", url: "/c/1", agent: "Ada", version: "v3", resumed: false } };
let world, call, told;

beforeEach(() => {
  world = new World();
  call = new CallSocket("ws://localhost/ws/a/", world.environment);
  told = [];
  for (const type of ["ready", "event", "latency", "audio", "clear", "ended", "lost", "gone", "error", "trouble"]) {
    call.addEventListener(type, ({ detail }) => told.push([type, detail]));
  }
  call.connect();
});
const types = () => told.map(([type]) => type);

test("it passes on what the server says", () => {
  world.socket.receive(READY);
  world.socket.receive({ type: "event", sequence: 0, event: { type: "call.started", at: 0 } });
  world.socket.receive(new ArrayBuffer(640));
  world.socket.receive({ type: "clear" });
  world.socket.receive({ type: "latency", turn: 1, total: 0.6 });
  world.socket.receive({ type: "from the future" });
  assert.deepEqual(types(), ["ready", "event", "audio", "clear", "latency"]);
});

test("nothing is sent before the call is ready", () => {
  call.sendAudio(new ArrayBuffer(640));
  assert.equal(call.send({ type: "text", text: "hi" }), false);
  assert.deepEqual(world.socket.sent, []);
  world.socket.receive(READY);
  assert.equal(call.send({ type: "text", text: "hi" }), true);
  assert.deepEqual(world.socket.sent, ['{"type":"text","text":"hi"}']);
});

test("a lost line is picked up again where it broke off", () => {
  world.socket.receive(READY);
  world.socket.receive({ type: "event", sequence: 7, event: { type: "x" } });
  world.socket.drop();
  world.pass(0.3);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.socket.url, "ws://localhost/ws/a/?call=call_1&after=7");
  world.socket.receive({ ...READY, call: { ...READY.call, resumed: true } });
  assert.deepEqual(types(), ["ready", "event", "lost", "ready"]);
});

test("it tries for fifteen seconds, ever less often, then gives up", () => {
  world.socket.receive(READY);
  world.socket.drop();
  while (world.time < GRACE_SECONDS + 5 && types().at(-1) !== "gone") {
    world.pass(0.1);
    if (world.socket.readyState === 1 && world.sockets.length > 1) world.socket.drop();
  }
  assert.equal(types().at(-1), "gone");
  assert.ok(world.time >= GRACE_SECONDS && world.time < GRACE_SECONDS + 1, `${world.time}`);
  assert.ok(world.sockets.length > 6 && world.sockets.length < 14, `${world.sockets.length} attempts`);
  world.pass(60);
  assert.equal(types().filter((type) => type === "gone").length, 1);
});

test("each loss has its own fifteen seconds", () => {
  world.socket.receive(READY);
  for (let i = 0; i < 3; i++) {
    world.pass(10);
    world.socket.receive({ type: "pong" });
    world.socket.drop();
    world.pass(0.3);
    world.socket.receive(READY);
  }
  assert.ok(!types().includes("gone"));
});

test("a server that knows nothing of the call any more ends the attempts", () => {
  world.socket.receive(READY);
  world.socket.drop();
  world.pass(0.3);
  world.socket.drop(4404);
  assert.equal(types().at(-1), "gone");
});

test("the server's own words are told when it refuses", () => {
  const error = { error_code: "models_loading", title: "Still loading", message: "Kokoro: 40 %", request_id: "r", doc_url: null };
  world.socket.receive({ type: "error", error });
  world.socket.drop(4503);
  assert.deepEqual(told, [["error", { error, code: 4503 }]]);
});

test("trouble that the call survives is passed on", () => {
  const error = { error_code: "invalid_event", title: "Not understood", message: "m" };
  world.socket.receive(READY);
  world.socket.receive({ type: "error", error });
  world.socket.receive({ type: "clear" });
  assert.deepEqual(told.slice(1), [["trouble", error], ["clear", { type: "clear" }]]);
});

test("a refusal without words gets some", () => {
  for (const code of [4401, 4402, 4403, 4404, 4429, 4503, 1006]) {
    const other = new CallSocket("ws://localhost/ws/a/", world.environment);
    let error;
    other.addEventListener("error", ({ detail }) => (error = detail.error));
    other.connect();
    world.socket.drop(code);
    assert.ok(error.title && error.message && error.error_code, `${code}`);
  }
});

test("after the end nothing is tried again", () => {
  world.socket.receive(READY);
  world.socket.receive({ type: "ended", reason: "agent_ended", detail: "", url: "/c/1" });
  world.socket.drop(1000);
  world.pass(60);
  assert.deepEqual(types(), ["ready", "ended"]);
  assert.equal(world.sockets.length, 1);
});

test("a socket that has gone silent is replaced", () => {
  world.socket.receive(READY);
  const first = world.socket;
  world.pass(13);
  assert.equal(first.readyState, 3);
  assert.ok(first.sent.some((text) => text.includes("ping")));
  assert.equal(world.sockets.length > 1, true);
  assert.equal(types().at(-1), "lost");
});

test("a server that never answers is given up", () => {
  world.pass(11);
  assert.equal(types().at(-1), "error");
  assert.equal(told.at(-1)[1].error.error_code, "unreachable");
});

test("hanging up tells the server, or at least closes", () => {
  world.socket.receive(READY);
  call.hangUp();
  assert.equal(world.socket.sent.at(-1), '{"type":"hang_up"}');
  const other = new CallSocket("ws://localhost/ws/a/", world.environment);
  other.connect();
  other.hangUp();
  assert.equal(world.socket.readyState, 3);
});
