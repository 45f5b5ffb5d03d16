// Package browser holds the tests of the console's page in a real browser. They stand apart so that the console's other
// tests are built without a browser's protocol. It has no code.
package browser
