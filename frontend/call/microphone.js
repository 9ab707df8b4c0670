// The microphone: asking for it, choosing between several, and saying in words why there is none.

const WISHES = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @returns {Promise<MediaStream>} @throws {DOMException} see `explain` */
export function openMicrophone(deviceId = "") {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("This page may not use the microphone.", "InsecureContext");
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  return navigator.mediaDevices.getUserMedia({ audio: { ...WISHES, ...device } });
}

/** The devices of `kind` ("audioinput", "audiooutput") with names; before permission is given the browser tells none. */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const named = all.filter((device) => device.kind === kind && device.deviceId);
  return named.map(({ deviceId, label }, index) => ({ deviceId, label: label || `${kind === "audioinput" ? "Microphone" : "Speaker"} ${index + 1}` }));
}

/**
 * Why there is no microphone: what happened, what it means, what to do.
 * @param {{name: string, message?: string}} error what getUserMedia threw
 * @param {{secure: boolean, origin: string}} place where this page runs
 */
export function explain(error, place) {
  if (!place.secure || error.name === "InsecureContext") {
    return {
      title: "This address may not use the microphone",
      meaning: `Browsers allow it on https:// and on this computer's own http://localhost only, and this page is ${place.origin}.`,
      action: "Open Callwright through https, or on the machine it runs on as http://localhost.",
    };
  }
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return {
        title: "The microphone is blocked",
        meaning: "The browser or the system refused it to this page, so the agent cannot hear you.",
        action: "Allow the microphone in the address bar's site settings (and in your system's privacy settings), then try again.",
      };
    case "NotFoundError":
    case "OverconstrainedError":
      return {
        title: "No microphone was found",
        meaning: "This computer has none, or it is unplugged or switched off.",
        action: "Plug in a microphone or a headset, then try again.",
      };
    case "NotReadableError":
    case "AbortError":
      return {
        title: "The microphone is busy or broken",
        meaning: "It is there, but the system would not open it: another program may be holding it.",
        action: "Close other programs that use it (meetings, recorders) or plug it in anew, then try again.",
      };
    default:
      return {
        title: "The microphone did not start",
        meaning: `The browser says: ${error.message || error.name}.`,
        action: "Try again, or in another browser.",
      };
  }
}
