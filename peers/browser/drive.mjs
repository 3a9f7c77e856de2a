// A real browser without a window, one person's: does what stdin says line by line, and says after each what it shows.
// Orders: {"go": url}, {"type": [selector, text]}, {"fill": [selector, text]} (in place of what was there), {"press": selector} (no page comes),
// {"click": selector} (waits for the page that comes), {"shot": path}. Its argument, if any: the SHA-256 (base64) of the only public key
// that is believed without a certificate of a known authority.
// Answers: {"url", "title", "text", "buttons": [[name, value, text]…], "complaints": […]}; complaints are what the browser refused to do.
import { createInterface } from 'node:readline';
import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';

// Its own flags would switch off what pages are protected by.
const args = ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none', '--no-pings'];
if (process.argv[2]) args.push(`--ignore-certificate-errors-spki-list=${process.argv[2]}`);
const browser = await puppeteer.launch({ args, executablePath: await chromium.executablePath(), headless: 'shell' });
const page = await browser.newPage();
const complaints = [];
let wanted = '';
page.on('console', (message) => { if (message.type() === 'error' && !message.text().includes('ERR_NAME_NOT_RESOLVED')) complaints.push(message.text()); });
page.on('request', (request) => { if (request.isNavigationRequest() && request.frame() === page.mainFrame()) wanted = request.url(); });

const look = async () => ({
  url: wanted || page.url(),
  title: await page.title(),
  text: await page.evaluate(() => document.body?.innerText ?? ''),
  buttons: await page.$$eval('button', (all) => all.map((one) => [one.name, one.value, one.innerText])),
  complaints,
});
// While one page gives way to another there is nothing to be seen.
const seen = async (left = 50) => {
  try {
    return await look();
  } catch (error) {
    if (!left) throw error;
    await new Promise((later) => setTimeout(later, 100));
    return seen(left - 1);
  }
};
// A page has come, or nobody is where the browser was sent: agents of tests do not listen.
const arrived = () => Promise.race([
  page.waitForNavigation({ timeout: 10000 }).catch(() => undefined),
  new Promise((nobody) => page.on('requestfailed', (request) => request.isNavigationRequest() && nobody())),
]);
const act = async (order) => {
  if (order.go) await page.goto(order.go, { waitUntil: 'load' });
  if (order.type) await page.type(...order.type);
  if (order.fill) await page.$eval(order.fill[0], (field, text) => { field.value = text; }, order.fill[1]);
  if (order.press) await page.click(order.press);
  if (order.shot) await page.screenshot({ path: order.shot, fullPage: true });
  if (order.click) await Promise.all([arrived(), page.click(order.click)]);
};
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await act(JSON.parse(line));
    console.log(JSON.stringify(await seen()));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error), url: page.url() }));
  }
}
await browser.close();
