// The page's words in its language, as the server gave them (dashboard/render/client_messages.py); {name} is filled in from `values`.
const words = JSON.parse(document.getElementById("words").textContent);

export const write = (element, text) => element && element.textContent !== text && (element.textContent = text); // only a change is read out
export const word = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
