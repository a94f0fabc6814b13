/* A browser runs no module of a page that is opened as a file; this it runs, and it says what to do. */
if (location.protocol === 'file:') {
  const note = document.querySelector('.nb-wait');
  note.setAttribute('role', 'alert');
  note.textContent =
    'A browser reads no data beside a page that is opened as a file: serve its folder, for example with python -m http.server, and open that.';
}
