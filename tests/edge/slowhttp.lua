-- SPDX-License-Identifier: Apache-2.0
-- Clients that think between their requests: latency is looked at, not throughput.
function delay()
    return 20
end
