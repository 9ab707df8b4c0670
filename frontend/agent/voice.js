// Hear the chosen voice say some words.
const SAMPLE = "Hello! Thank you for calling. How can I help you today?";
const LONGEST = 300;

export function voicePreview() {
  return {
    description: "",
    pace: "",
    error: "",
    loading: false,
    playing: false,
    audioUrl: "",

    init() {
      this.describe();
    },

    describe() {
      const { voice, speed } = this.$refs;
      this.description = voice.selectedOptions[0]?.dataset.description ?? "";
      this.pace = `${Number(speed.value).toFixed(2)}×`;
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

    async fetchAudio() {
      const { elements } = this.$root.closest("form");
      const text = this.$refs.text.value.trim() || elements.greeting.value.trim() || SAMPLE;
      const body = new FormData();
      body.set("csrfmiddlewaretoken", elements.csrfmiddlewaretoken.value);
      body.set("text", text.slice(0, LONGEST));
      body.set("voice", elements.voice.value);
      body.set("speed", elements.speed.value);
      const unreachable = () => Promise.reject(new Error("The server cannot be reached."));
      const headers = { Accept: "audio/wav, application/json" };
      const response = await fetch(this.$root.dataset.url, { method: "POST", body, headers }).catch(unreachable);
      if (response.ok) return response.blob();
      const problem = await response.json().catch(() => ({ message: "The server could not make the sound." }));
      throw new Error(problem.message || problem.title);
    },
  };
}
