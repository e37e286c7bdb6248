# SPDX-License-Identifier: Apache-2.0
NATGPU ?= natgpu

my_policy.so: SOURCE natgpu/policy.h
	COMPILE -O2 -I. -shared -fPIC -o $@ SOURCE

my_policy_test: TEST SOURCE natgpu/policy.h
	COMPILE -O1 -I. -o $@ TEST

# The order itself, a replay of it, and random workloads.
test: my_policy.so my_policy_test
	./my_policy_test
	$(NATGPU) replay log.swf --policy ./my_policy.so --backfill easy
	$(NATGPU) policy check ./my_policy.so --backfill easy

clean:
	rm -f my_policy.so my_policy_test

.PHONY: test clean
