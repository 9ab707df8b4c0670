import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_SAMPLES, Framer, loudness } from "../call/audio/framer.js";
import { FIRST_TARGET, JitterBuffer } from "../call/audio/jitter.js";
import { Resampler } from "../call/audio/resampler.js";

const tone = (frequency, rate, seconds, amplitude = 0.5) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / rate));
const rms = (samples) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

function resample(samples, from, to, block = 128) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let i = 0; i < samples.length; i += block) out.push(...resampler.process(samples.subarray(i, i + block)));
  return Float32Array.from(out);
}

for (const from of [48000, 44100, 22050, 8000]) {
  test(`a 1 kHz tone keeps its pitch and loudness from ${from} Hz to 16 kHz`, () => {
    const out = resample(tone(1000, from, 1), from, 16000);
    assert.ok(Math.abs(out.length - 16000) < 60, `${out.length} samples`);
    const steady = out.subarray(1000, 15000);
    assert.ok(Math.abs(rms(steady) - 0.5 / Math.SQRT2) < 0.005, `loudness ${rms(steady)}`);
    let crossings = 0;
    for (let i = 1; i < steady.length; i++) crossings += steady[i - 1] < 0 && steady[i] >= 0 ? 1 : 0;
    assert.ok(Math.abs(crossings - 875) <= 1, `${crossings} periods in 0.875 s`);
  });
}

test("what 16 kHz cannot carry is filtered out and does not fold back", () => {
  for (const frequency of [9500, 12000, 20000]) {
    const out = resample(tone(frequency, 48000, 0.5), 48000, 16000);
    assert.ok(rms(out.subarray(500)) < 0.003, `${frequency} Hz leaves ${rms(out.subarray(500))}`);
  }
});

test("blocks of any size join without a seam", () => {
  const input = tone(440, 44100, 0.3);
  assert.deepEqual(resample(input, 44100, 16000, 128), resample(input, 44100, 16000, 1000));
});

test("the same rate passes untouched", () => {
  const input = tone(440, 16000, 0.1);
  assert.deepEqual(new Resampler(16000, 16000).process(input), input);
});

test("a second of microphone becomes fifty frames of 640 bytes", () => {
  const frames = [];
  const framer = new Framer(48000, (pcm) => frames.push(pcm));
  const input = tone(300, 48000, 1.01);
  for (let i = 0; i < input.length; i += 128) framer.push(input.subarray(i, i + 128));
  assert.equal(frames.length, 50);
  assert.ok(frames.every((frame) => frame.length === FRAME_SAMPLES && frame.byteLength === 640));
  assert.equal(new Set(frames.map((frame) => frame.buffer)).size, 50);
});

test("a muted microphone sends silence at the same pace", () => {
  const frames = [];
  const framer = new Framer(16000, (pcm, level) => frames.push({ pcm, level }));
  framer.muted = true;
  framer.push(tone(300, 16000, 0.1));
  assert.equal(frames.length, 5);
  assert.ok(frames.every(({ pcm, level }) => level === 0 && pcm.every((value) => value === 0)));
});

test("too loud a sound is clipped, not wrapped", () => {
  let frame;
  new Framer(16000, (pcm) => (frame = pcm)).push(new Float32Array(FRAME_SAMPLES).fill(3));
  assert.ok(frame.every((value) => value === 32767));
});

test("loudness follows the ear", () => {
  assert.equal(loudness(0), 0);
  assert.equal(loudness(1), 1);
  assert.ok(Math.abs(loudness(0.03162) - 0.5) < 0.01);
});

// --- the jitter buffer

const frame = (value = 8000) => new Int16Array(FRAME_SAMPLES).fill(value);
function read(buffer, seconds) {
  const blocks = [];
  for (let left = Math.round(seconds * buffer.rate); left > 0; left -= 128) {
    const block = new Float32Array(Math.min(128, left));
    buffer.read(block);
    blocks.push(...block);
  }
  return Float32Array.from(blocks);
}
const push = (buffer, count) => Array.from({ length: count }, () => buffer.push(frame()));
const audible = (samples) => samples.filter((x) => Math.abs(x) > 0.01).length;

test("it waits for the target before it plays", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 2);
  assert.equal(audible(read(buffer, 0.02)), 0);
  push(buffer, 1);
  assert.ok(audible(read(buffer, 0.02)) > 250);
});

test("a word shorter than the target is played all the same", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 1);
  const heard = read(buffer, FIRST_TARGET + 0.1);
  assert.ok(Math.abs(audible(heard) - FRAME_SAMPLES) < 60);
  assert.equal(buffer.underruns, 0);
});

test("nothing is lost or doubled when frames come regularly", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 3);
  let heard = 0;
  for (let i = 0; i < 100; i++) {
    push(buffer, 1);
    heard += audible(read(buffer, 0.02));
  }
  heard += audible(read(buffer, 0.5));
  assert.ok(Math.abs(heard - 103 * FRAME_SAMPLES) < 60, `${heard}`);
  assert.equal(buffer.underruns, 0);
  assert.ok(Math.abs(buffer.played - 103 * 0.02) < 1e-6);
});

test("clear drops everything at once", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 250);
  read(buffer, 0.1);
  const dropped = buffer.clear();
  assert.ok(dropped > 4.8);
  assert.equal(buffer.depth, 0);
  const after = read(buffer, 1);
  assert.equal(audible(after.subarray(80)), 0, "silent 5 ms later");
  assert.ok(Math.abs(after[0]) > 0.1 && Math.abs(after[0]) < 8000 / 32768, "fades instead of clicking");
});

test("it plays again after a clear", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 10);
  read(buffer, 0.1);
  buffer.clear();
  push(buffer, 5);
  assert.ok(audible(read(buffer, 0.2)) > 4.5 * FRAME_SAMPLES);
  assert.equal(buffer.underruns, 0, "a clear is no underrun");
});

test("running dry in mid-sentence fades, counts and makes it more careful", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 4);
  const heard = read(buffer, 0.15);
  const steps = heard.slice(1).map((x, i) => Math.abs(x - heard[i]));
  assert.ok(Math.max(...steps) < 0.05, "no click");
  const target = buffer.target;
  push(buffer, 4);
  read(buffer, 0.05);
  assert.equal(buffer.underruns, 1);
  assert.ok(buffer.target > target);
});

test("a pause between sentences is not an underrun", () => {
  const buffer = new JitterBuffer(16000);
  push(buffer, 4);
  read(buffer, 2);
  push(buffer, 4);
  read(buffer, 0.1);
  assert.equal(buffer.underruns, 0);
});

test("with calm the target shrinks again", () => {
  const buffer = new JitterBuffer(16000);
  buffer.target = 0.1;
  read(buffer, 35);
  assert.ok(buffer.target < 0.075 && buffer.target > 0.03);
});

test("the delay it tells is that from a frame's arrival to its sound", () => {
  const buffer = new JitterBuffer(48000);
  push(buffer, 5);
  for (let i = 0; i < 200; i++) {
    read(buffer, 0.02);
    push(buffer, 1);
  }
  assert.ok(Math.abs(buffer.delay - 0.08) < 0.003, `${buffer.delay}`); // 100 ms are there before each read of 20 ms
});
