# Unit tests of the loader's pure parts; gcc's sanitizers, because every machine that can build has them.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TESTS := histogram command lines controller file_bytes emit sampling
TEST_BUILD := $(BUILD)/test
PURE_SANITIZED := $(PURE:%=$(TEST_BUILD)/%.o)

test: $(TESTS:%=$(TEST_BUILD)/test_%) $(TEST_BUILD)/fuzz_input
	@for test in $(TESTS); do $(TEST_BUILD)/test_$$test || exit 1; done
	$(TEST_BUILD)/fuzz_input 5 test/corpus.ndjson

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

.PHONY: test fuzz
.SECONDARY: $(PURE_SANITIZED)
