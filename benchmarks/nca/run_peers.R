# The NCA of PKNCA or NonCompart on the replicated set; called by compare.py, which names the
# file of the samples: Rscript run_peers.R pknca|noncompart FILE PROFILES
# One line of JSON with the seconds of CPU and on the clock, reading apart.
arguments <- commandArgs(trailingOnly = TRUE)
engine <- arguments[1]
samples <- read.csv(arguments[2])
profiles <- as.integer(arguments[3])
samples <- samples[samples$TIME >= 0 & !(is.na(samples$CONC) & samples$BLQ == 0), ]
samples$CONC[samples$BLQ == 1] <- 0

seconds <- function(step) {
  taken <- system.time(step())
  c(cpu = unname(taken["user.self"] + taken["sys.self"]), wall = unname(taken["elapsed"]))
}

if (engine == "pknca") {
  suppressPackageStartupMessages(library(PKNCA))
  doses <- data.frame(USUBJID = unique(samples$USUBJID), TIME = 0, DOSE = 450)
  step <- function() {
    conc <- PKNCAconc(samples, CONC ~ TIME | USUBJID)
    dose <- PKNCAdose(doses, DOSE ~ TIME | USUBJID)
    wanted <- data.frame(
      start = 0, end = c(28, Inf), cmax = c(FALSE, TRUE), tmax = c(FALSE, TRUE),
      aucint.last = c(TRUE, FALSE), auclast = c(FALSE, TRUE), aucinf.obs = c(FALSE, TRUE),
      half.life = c(FALSE, TRUE)
    )
    as.data.frame(suppressWarnings(pk.nca(PKNCAdata(conc, dose, intervals = wanted))))
  }
} else {
  suppressPackageStartupMessages(library(NonCompart))
  # Results below the limit after the last quantifiable one are dropped, as in the references.
  step <- function() {
    tblNCA(samples, key = "USUBJID", colTime = "TIME", colConc = "CONC", dose = 450, down = "Log")
  }
}
taken <- seconds(step)
peak <- NA
status <- tryCatch(readLines("/proc/self/status"), error = function(e) character())
line <- grep("^VmHWM", status, value = TRUE)
if (length(line)) peak <- as.numeric(gsub("[^0-9]", "", line)) / 1024
cat(sprintf(
  '{"engine": "%s", "version": "%s", "profiles": %d, "steps": {"nca": {"cpu": %.3f, "wall": %.3f}}, "peak_mb": %.1f}\n',
  c(pknca = "PKNCA", noncompart = "NonCompart")[engine],
  as.character(packageVersion(c(pknca = "PKNCA", noncompart = "NonCompart")[engine])),
  profiles, taken["cpu"], taken["wall"], peak
))
