// Choose a voice, and hear it say some words.
import { facts, sourceChoice } from "./sources.js";
import { speech } from "./speech.js";

const SAMPLE = "Hello! Thank you for calling. How can I help you today?";
const LONGEST = 300;

export function voiceChoice() {
  return {
    ...sourceChoice(),
    typed: false,
    description: "",
    listing: "",
    pace: "",
    loudness: "",
    error: "",
    loading: false,
    playing: false,
    audioUrl: "",

    init() {
      const { models } = this.$refs;
      this.$root.querySelector(`[name="${models.dataset.for}"]`).setAttribute("list", models.id);
      this.list();
    },

    /** Another connection speaks: its voices are listed. */
    list() {
      this.choose();
      if (this.local) this.offer(document.importNode(this.$refs.localVoices.content, true));
      else this.fetchVoices();
      this.describe();
    },

    async fetchVoices() {
      const { connection } = this.$refs;
      const chosen = connection.value;
      this.offer(new Option("Asking for the voices…", this.$refs.voice.value));
      const response = await fetch(facts(chosen).voicesUrl, { headers: { Accept: "application/json" } }).catch(() => undefined);
      const { voices = [], problem = "The server cannot be reached." } = response?.ok ? await response.json() : {};
      if (connection.value !== chosen) return; // another one was chosen meanwhile
      this.offer(...voices.map(({ id, label }) => new Option(label, id)));
      this.listing = problem;
      this.typed = voices.length === 0;
    },

    /** Have the list of voices show these. One that is chosen and not among them is added. */
    offer(...options) {
      const { voices, voice } = this.$refs;
      this.typed = false;
      this.listing = "";
      voices.replaceChildren(...options);
      const isListed = () => [...voices.options].some(({ value }) => value === voice.value);
      if (!voice.value && !this.local) voices.prepend(new Option("The first voice", ""));
      else if (!isListed() && !this.local) voices.prepend(new Option(voice.value, voice.value));
      if (isListed()) voices.value = voice.value;
      else voice.value = voices.value;
    },

    pick() {
      const { voices, voice } = this.$refs;
      voice.value = voices.value;
      voice.dispatchEvent(new Event("change", { bubbles: true }));
      this.describe();
    },

    // Spreading has taken the value of this one, which then was another.
    get hosted() {
      return !this.local;
    },

    get listed() {
      return !this.typed;
    },

    describe() {
      const { voices, speed, volume } = this.$refs;
      this.description = voices.selectedOptions[0]?.dataset.description ?? "";
      this.pace = `${Number(speed.value).toFixed(2)}×`;
      this.loudness = `${Math.round(100 * volume.value)} %`;
    },

    get idle() {
      return !this.playing && !this.loading;
    },

    get verb() {
      return this.playing ? "Stop" : "Play";
    },

    toggle() {
      if (this.playing) this.$refs.audio.pause();
      else this.play();
    },

    stopped() {
      this.playing = false;
    },

    async play() {
      if (this.loading) return;
      this.loading = true;
      this.error = "";
      try {
        const audio = this.$refs.audio;
        URL.revokeObjectURL(this.audioUrl);
        this.audioUrl = URL.createObjectURL(await this.fetchAudio());
        audio.src = this.audioUrl;
        await audio.play();
        this.playing = true;
      } catch (error) {
        this.error = error.message;
      } finally {
        this.loading = false;
      }
    },

    fetchAudio() {
      const { elements } = this.$root.closest("form");
      const text = this.$refs.text.value.trim() || elements.greeting.value.trim() || SAMPLE;
      const body = new FormData();
      body.set("csrfmiddlewaretoken", elements.csrfmiddlewaretoken.value);
      body.set("text", text.slice(0, LONGEST));
      body.set("connection", elements.voice_connection.value);
      body.set("model", elements.voice_model.value);
      body.set("voice", elements.voice.value);
      body.set("speed", elements.speed.value);
      body.set("volume", elements.volume.value);
      return speech(this.$root.dataset.url, body);
    },
  };
}
