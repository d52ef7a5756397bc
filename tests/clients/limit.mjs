// A client that waits for what never comes ends here, not with the test run.
setTimeout(() => {
  console.error("not done after 60 seconds");
  process.exit(1);
}, 60_000).unref();
