// Words that the server has spoken.
const UNREACHABLE = "The server cannot be reached.";

/** The WAV that `url` makes of the form data `body`. Throws an Error that says what is wrong. */
export async function speech(url, body) {
  const headers = { Accept: "audio/wav, application/json" };
  const unreachable = () => Promise.reject(new Error(UNREACHABLE));
  const response = await fetch(url, { method: "POST", body, headers }).catch(unreachable);
  if (response.ok) return response.blob();
  const problem = await response.json().catch(() => ({ message: "The server could not make the sound." }));
  throw new Error(problem.message || problem.title);
}
