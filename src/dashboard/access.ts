import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Whether only this machine reaches a server that listens there. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** A secret that nobody guesses: 192 random bits. */
export function randomToken(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * Refuses a request that names this server otherwise than as this machine: a page elsewhere whose name was made to
 * point here (DNS rebinding) would read the runs. To be used where the server listens on loopback.
 */
export function onlyByLoopbackName(): MiddlewareHandler {
  return async (c, next) => {
    const host = (c.req.header('host') ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (isLoopback(host)) return next();
    return c.text('expected this server under localhost or 127.0.0.1, got another name\n', 403);
  };
}

/** Refuses what another site's page asks for: it cannot read the answer, but could use up the streams. */
export function notFromOtherSites(): MiddlewareHandler {
  return async (c, next) => {
    const isCrossSite = c.req.header('sec-fetch-site') === 'cross-site';
    if (isCrossSite && c.req.header('sec-fetch-mode') !== 'navigate')
      return c.text('expected a request of the dashboard itself, got one of another site\n', 403);
    return next();
  };
}

/**
 * Asks for a token: in the address (`?token=`), which is answered with a cookie and the address without it, or in that
 * cookie. Compared in constant time.
 */
export function withToken(token: string): MiddlewareHandler {
  const name = `millrace_${digest(token).toString('hex').slice(0, 8)}`;
  return async (c, next) => {
    const query = c.req.query('token');
    if (query !== undefined && isSame(query, token)) {
      setCookie(c, name, token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return c.redirect(c.req.path, 303);
    }
    const cookie = getCookie(c, name);
    if (cookie !== undefined && isSame(cookie, token)) return next();
    return c.text('expected the address with ?token=… that the dashboard has printed\n', 401);
  };
}

/** Digests are of one length, whatever was sent. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
