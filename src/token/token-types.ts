/**
 * Names that token exchange gives to kinds of tokens.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-3
 * @module
 */

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** Grant type of a token exchange. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
