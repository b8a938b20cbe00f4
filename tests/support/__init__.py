"""What tests share: a clock they own, builders, real servers. Product code never imports it."""
