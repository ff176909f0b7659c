// Light, dark, or as the system has it.

const THEMES = ['auto', 'light', 'dark'];

/**
 * @param {HTMLElement} button
 * @returns {() => void} Changes to the next.
 */
export function themes(button) {
  let place = 0;
  const next = () => {
    place = (place + 1) % THEMES.length;
    const theme = THEMES[place];
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener('click', next);
  return next;
}
