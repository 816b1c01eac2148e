import { createTranslator } from '../../strings/translator.ts';

export const signInWords = {
  logInTitle: 'Log in',
  logInAction: 'Log in',
  registerTitle: 'Create your account',
  registerAction: 'Create account',
  firstTitle: 'Welcome to Cairn',
  firstText: 'Create the first account. It is the administrator of this server.',
  ended: 'You were signed out: this browser was revoked on another device, or was not used for a long time.',
  loggedOut: 'You are logged out. What this browser kept of your files was removed.',
  username: 'Username',
  password: 'Password',
  passwordHint: 'At least {count} characters. A few words that only you would put together are best.',
  passwordShort: 'Use at least {count} characters.',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  setUpCode: 'Set-up code',
  setUpCodeHint: 'The server printed it when it started.',
  usernameMissing: 'Type your username.',
  passwordMissing: 'Type your password.',
  setUpCodeMissing: 'Type the code that the server printed when it started.',
  toRegister: 'No account yet? Create one',
  toLogIn: 'You have an account? Log in',
  closed: 'New accounts are made by the administrator of this server.',
  tagline: 'Your files, on your devices and your machines.',
} as const;

export const t = createTranslator(signInWords);
