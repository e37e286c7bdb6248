# SPDX-License-Identifier: Apache-2.0
NATGPU ?= natgpu

my_policy.so: MY_SOURCE MY_HEADERS
	MY_COMPILER -O2 -I. -shared -fPIC -o $@ MY_SOURCE

# The policy as written is fcfs: every job starts when it does there. Another rule, another test.
test: my_policy.so
	$(NATGPU) replay log.swf --policy ./my_policy.so --jobs-csv my_policy.csv
	$(NATGPU) replay log.swf --policy fcfs --jobs-csv fcfs.csv
	cmp my_policy.csv fcfs.csv
	$(NATGPU) policy check ./my_policy.so --like fcfs

clean:
	rm -f my_policy.so my_policy.csv fcfs.csv

.PHONY: test clean
