"""One accessible HTML browser over the state of any simulator: simulators describe pages, this package draws them."""
