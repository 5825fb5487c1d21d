/*
 * Copyright (C) wx_openid authors
 *
 * What a process leaves behind in shared memory that is killed between any
 * two of its stores.  The memory is made read-only, so that each store
 * faults; the handler looks at the memory and lets that one instruction
 * through, by the processor's trap flag.
 */

#ifndef WX_OPENID_KILLED_H
#define WX_OPENID_KILLED_H

#if defined(__x86_64__) && defined(__linux__)
#define WX_OPENID_HAVE_KILLED 1

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <vector>


class Killed {
public:
    using Image = std::vector<std::byte>;
    using Look = std::function<void(std::size_t n)>;

    /* calls "look" before every store of "run" to the memory; its start and
       its end must be those of pages */

    static void at_each_store(std::span<std::byte> memory,
        const std::function<void()> &run, const Look &look)
    {
        Killed killed(memory, look);

        current() = &killed;
        killed.forbid();
        run();
        killed.allow();
        current() = nullptr;
    }

    /* the memory before every store, and after the last */

    static std::vector<Image> images(std::span<std::byte> memory,
        const std::function<void()> &run)
    {
        std::vector<Image> images;

        auto keep = [&](std::size_t) {
            images.emplace_back(memory.begin(), memory.end());
        };

        at_each_store(memory, run, keep);
        keep(0);

        return images;
    }

private:
    Killed(std::span<std::byte> memory, const Look &look)
        : memory_(memory), look_(look)
    {
        handle(SIGSEGV, on_store, &old_segv_);
        handle(SIGTRAP, on_stored, &old_trap_);
    }

    ~Killed()
    {
        sigaction(SIGSEGV, &old_segv_, nullptr);
        sigaction(SIGTRAP, &old_trap_, nullptr);
    }

    static Killed *&current()
    {
        static Killed *killed;
        return killed;
    }

    static void handle(int signo, void (*handler)(int, siginfo_t *, void *),
        struct sigaction *old)
    {
        struct sigaction sa{};

        sa.sa_sigaction = handler;
        sa.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigaction(signo, &sa, old);
    }

    void protect(int access)
    {
        if (mprotect(memory_.data(), memory_.size(), access) != 0) {
            abort();
        }
    }

    void forbid() { protect(PROT_READ); }
    void allow() { protect(PROT_READ | PROT_WRITE); }

    static greg_t &flags(void *context)
    {
        return static_cast<ucontext_t *>(context)->uc_mcontext
                   .gregs[REG_EFL];
    }

    static void on_store(int, siginfo_t *info, void *context)
    {
        Killed &k = *current();
        auto *p = static_cast<std::byte *>(info->si_addr);

        if (p < k.memory_.data() || p >= k.memory_.data() + k.memory_.size())
        {
            /* a fault of the code itself: let it happen again */
            sigaction(SIGSEGV, &k.old_segv_, nullptr);
            return;
        }

        k.allow();
        k.look_(k.stores_++);
        flags(context) |= 0x100;
    }

    static void on_stored(int, siginfo_t *, void *context)
    {
        flags(context) &= ~static_cast<greg_t>(0x100);
        current()->forbid();
    }

    std::span<std::byte> memory_;
    const Look &look_;
    std::size_t stores_ = 0;
    struct sigaction old_segv_{};
    struct sigaction old_trap_{};
};

#endif

#endif /* WX_OPENID_KILLED_H */
