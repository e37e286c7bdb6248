# SPDX-License-Identifier: Apache-2.0
NATGPU ?= natgpu

my_policy.so: MY_SOURCE MY_HEADERS
	MY_COMPILER -O2 -I. -shared -fPIC -o $@ MY_SOURCE

my_policy_test: MY_TEST MY_SOURCE MY_HEADERS
	MY_COMPILER -O1 -I. -o $@ MY_TEST

# The order itself, a replay of it, and random workloads.
test: my_policy.so my_policy_test
	./my_policy_test
	$(NATGPU) replay log.swf --policy ./my_policy.so --backfill easy
	$(NATGPU) policy check ./my_policy.so --backfill easy

clean:
	rm -f my_policy.so my_policy_test

.PHONY: test clean
