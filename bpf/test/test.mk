# Unit tests of the loader's pure parts, and the whole loader for tests that run it; gcc's sanitizers, because every machine that can build has them.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TESTS := histogram command instructions lines controller file_bytes output emit sampling shared_buckets
TEST_BUILD := $(BUILD)/test
PURE_SANITIZED := $(PURE:%=$(TEST_BUILD)/%.o)
KERNEL_SANITIZED := $(KERNEL:%=$(TEST_BUILD)/%.o)

test: $(TESTS:%=$(TEST_BUILD)/test_%) $(TEST_BUILD)/fuzz_input
	@for test in $(TESTS); do $(TEST_BUILD)/test_$$test || exit 1; done
	$(TEST_BUILD)/fuzz_input 5 test/corpus.ndjson

# build/test/robotgc-probe: the loader as it ships but for the sanitizers, which do not go into a static binary.
sanitized: $(TEST_BUILD)/robotgc-probe

$(TEST_BUILD)/robotgc-probe: $(PURE_SANITIZED) $(KERNEL_SANITIZED)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(LIBS)

$(KERNEL_SANITIZED): $(BUILD)/gc.skel.h

# The loader compiles for arm64 as well. Debian: libc6-dev-arm64-cross
check-arm64: $(BUILD)/gc.skel.h
	$(CLANG) --target=aarch64-linux-gnu -fsyntax-only -idirafter /usr/include $(CPPFLAGS) -O2 -std=gnu11 $(WARNINGS) \
		$(PURE:%=src/%.c) $(KERNEL:%=src/%.c)

fuzz: $(TEST_BUILD)/fuzz_input
	$< $(FUZZ_SECONDS) test/corpus.ndjson $(or $(FUZZ_SEED),$(shell date +%s)) $(FUZZ_INPUTS)

$(TEST_BUILD)/test_%: test/test_%.c test/check.h $(PURE_SANITIZED)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -o $@ $< $(PURE_SANITIZED) -ljansson

$(TEST_BUILD)/fuzz_input: test/fuzz_input.c test/fuzz_main.c $(PURE_SANITIZED)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -o $@ $^ -ljansson

$(TEST_BUILD)/%.o: src/%.c $(wildcard src/*.h) Makefile test/test.mk | $(TEST_BUILD)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -c -o $@ $<

$(TEST_BUILD):
	mkdir -p $@

.PHONY: test fuzz sanitized check-arm64
.SECONDARY: $(PURE_SANITIZED) $(KERNEL_SANITIZED)
