// Light, dark, or as the system has it ("") . The choice is a cookie, so that the server draws the next page in it at once.
const YEAR = 365 * 24 * 3600;

export function setTheme(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? YEAR : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const radio of document.querySelectorAll("[data-themes] input")) radio.checked = radio.value === theme;
}

export function toggleTheme() {
  const current = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  setTheme(current === "dark" ? "light" : "dark");
}

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-themes]")) setTheme(event.target.value);
});
