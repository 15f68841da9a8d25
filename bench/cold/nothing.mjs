/** What a bare start of Node is: a module that prints what the first program prints. */
console.log("[ 0.  4.  8. 12.]");
